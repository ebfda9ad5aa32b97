"""The version of our reading: raised with every release that reads some documents otherwise.

It is stored with each entry. A difference first seen under a new version is ours and no change of
the publisher's: it replaces what is served without a revision.
"""

# 3 is of release 0.3.0; release 0.2.0 read as 2.
READER = 3
