"""What scripts/bench measures (cases), how (figures), and how it is shown (plots, page)."""
