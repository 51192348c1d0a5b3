"""Words: sentences encoded without TensorFlow, and the common space in which they meet the embeddings of moments."""
