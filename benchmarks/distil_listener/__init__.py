"""The tool that makes the weights of the separable listener: it learns to hear what YAMNet's first part hears."""
