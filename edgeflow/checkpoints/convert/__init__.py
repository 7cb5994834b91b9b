"""Foreign weights (Paddle's and RITM's) to safetensors, without executing anything."""
