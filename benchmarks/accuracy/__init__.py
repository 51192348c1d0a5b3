"""How well the model recognises what it has not seen, by sets, by modalities and by ways of joining them."""
