"""The parts of `packaging/make`: what is known of the crate and of a binary, what every package contains, and each kind of package.

Nothing here needs more than Python 3.10 and cargo. Packages are bytes that depend on the binary, the repository and SOURCE_DATE_EPOCH, and on
nothing else: no time, no owner, no order of a folder.
"""


class Refused(Exception):
    """Something that must not be in a package, or is missing in one: said without a traceback, and nothing is made."""
