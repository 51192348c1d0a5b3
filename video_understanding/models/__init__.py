"""The networks: what sees, what hears, how both are joined, and what is said in the end."""
