"""Figures, drawn from plain numbers.

What enters is arrays with labels and units. What leaves is a `Picture`: an SVG text, what it shows in
words, and the table of the numbers behind it, so that nobody has to read a value off an axis.

It refuses to know where the numbers come from: no record, no run, no metric's name has a meaning here,
and no statistic is computed here, so that a figure never says anything that the tables do not. The
same numbers give the same bytes. Colours are told apart by the colour-blind, and every series also has
a mark or a dash of its own; the ink can follow the page's, light or dark.
"""
