"""Files of a run: checkpoints and models, each written whole or not at all."""
