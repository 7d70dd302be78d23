"""Pictures that need the gradients of MXNet."""
