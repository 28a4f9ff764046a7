"""The docs, and what makes their generated parts and their looks."""
