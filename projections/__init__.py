"""What can be asked: tables folded from the events, droppable and rebuilt at any time."""
