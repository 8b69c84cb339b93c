"""Autoencoders: networks, training, and what their latent space holds."""
