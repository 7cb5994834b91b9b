"""Which images a learnt version answers: those like the ones that it has learnt from."""
