"""A study as a page to hand on: HTML that needs nothing else, markdown, card, checklist, tables, figures.

What enters is the id of a study; everything is read from the record, so a colleague with the same
store gets the same bytes. What leaves are files, which also become artifacts of the study's run.

It refuses to compute: numbers and sentences come from `verdict`, lines and dots from `picture`. It
refuses to guess: what no record can answer is left to the authors, visibly. A figure that fails is
left out and named; it never costs the page.
"""
