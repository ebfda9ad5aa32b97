"""The version of our reading: raised with every release that reads some documents otherwise.

It is stored with each entry. A difference first seen under a new version is ours and no change of
the publisher's: it replaces what is served without a revision.
"""

READER = 3
