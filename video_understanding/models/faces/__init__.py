"""Networks for faces: one encodes the crop of a face, one detects faces in a frame; and their pretrained weights."""
