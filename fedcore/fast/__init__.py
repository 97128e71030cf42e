"""Hand-written steps of local training for the built-in models.

They are used where a method leaves the local step plain: the gradient of the model's own loss,
followed by SGD. Then nothing has to be recorded to be differentiated later, and the gradient of a
weight matrix never exists: the product that makes it is subtracted from the weights at once.
``dense.py`` and ``cnn.py`` say this in torch; ``native/`` in C++, for machines with a compiler.
"""
