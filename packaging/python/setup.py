# SPDX-License-Identifier: Apache-2.0
"""Builds a wheel: CMake makes the module, for the Python that runs this.

NFSTREAMD_BUILD_DIR names a build folder to use, which may be built already; without it there is one of its own.
"""
import os
import pathlib
import re
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VERSION = re.search(r"project\(nfstreamd VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


class CMakeBuild(build_ext):
    def build_extension(self, extension):
        given = os.environ.get("NFSTREAMD_BUILD_DIR")
        folder = pathlib.Path(given or self.build_temp).resolve()
        if not (folder / "CMakeCache.txt").exists():
            subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                            "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -g1", "-DNFSTREAMD_BUILD_TESTS=OFF",
                            "-DNFSTREAMD_WITH_PYTHON=ON", "-DNFSTREAMD_WITH_PYTHON_PLUGINS=OFF",
                            f"-DPython_EXECUTABLE={sys.executable}"], check=True)
        subprocess.run(["cmake", "--build", folder, "--target", "nfs_python"], check=True)
        target = pathlib.Path(self.get_ext_fullpath(extension.name))
        built = folder / "python" / "nfstreamd" / target.name
        if not built.exists():
            sys.exit(f"{folder} was not configured for this Python: {built} is missing")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.copy_file(str(built), str(target))


setup(version=VERSION,
      packages=["nfstreamd", "nfstreamd.plugins"],
      ext_modules=[Extension("nfstreamd._engine", sources=[])],
      cmdclass={"build_ext": CMakeBuild})
