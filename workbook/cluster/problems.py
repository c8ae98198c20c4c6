"""What a command tells in one line instead of with a traceback: each text says what to do."""

from access.keys import NoKeys

from workbook.cluster.building import CannotBuild
from workbook.cluster.deploy import CannotGoBack, NotDeployed
from workbook.cluster.kubectl import KubectlFailed
from workbook.cluster.overlays import CannotRender, NotAnImage
from workbook.cluster.prove import NotShown
from workbook.cluster.visitors import Unexpected
from workbook.part import PartFailed

PROBLEMS = (
    CannotBuild,
    CannotGoBack,
    CannotRender,
    KubectlFailed,
    NoKeys,
    NotAnImage,
    NotDeployed,
    NotShown,
    PartFailed,
    Unexpected,
)
