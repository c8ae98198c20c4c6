"""`./learn lab`: JupyterLab at the first page, with nothing in the way."""

import os
import sys

from workbook.phases import ROOT

_SETTINGS = ROOT / "workbook" / "jupyter"


def main(*, port: int, browser: bool) -> int:
    os.environ["JUPYTERLAB_SETTINGS_DIR"] = os.environ.get("JUPYTERLAB_SETTINGS_DIR", str(ROOT / ".learn" / "jupyter"))
    os.environ["JUPYTER_CONFIG_PATH"] = str(_SETTINGS)
    options = [
        f"--ServerApp.root_dir={ROOT}",
        f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--LabApp.default_url=/lab/tree/notebooks/start_here.ipynb",
        f"--LabApp.app_settings_dir={_SETTINGS}",
        *([] if browser else ["--no-browser"]),
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options])
    return 0  # never reached: execv replaced this process
