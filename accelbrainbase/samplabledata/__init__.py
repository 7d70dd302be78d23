"""Samplers: data sets, noise, conditions, priors."""
