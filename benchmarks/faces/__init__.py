"""The tool that makes the weights of the face encoder and of the face detector, and measures both."""
