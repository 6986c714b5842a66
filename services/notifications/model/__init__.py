"""Pure decisions of the notifications service: who is told of what, and when."""
