"""What every training shares: how TensorFlow is started, precision, rates, the loop, the file of a model."""
