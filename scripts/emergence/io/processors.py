"""One way to compute on every processor of a kind, so that results are the same byte for byte on all of them.

OpenBLAS, NumPy, Arrow and the C library look at the processor they run on and choose their instructions by it. Fused and wider
instructions round otherwise: `exp` of the same number then differs in the last bit, and a comparison of two such numbers can turn
out the other way. So every job is told to use what all x86-64 processors since 2009 have. No stage of this workflow becomes
noticeably slower by it.

Snakemake asks each time it starts, so this module needs nothing but the standard library.
"""

import platform

# Each version of NumPy has its own names for what it can do without; it passes over those that it does not know.
_NUMPY = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V3 X86_V4"
# So has the C library: the second name of each is that of versions before 2.33.
_C_LIBRARY = "glibc.cpu.hwcaps=-FMA,-FMA_Usable,-FMA4,-FMA4_Usable"


def settings(environment, machine=None):
    """Return the variables with which a process computes as on every other processor of its kind.

    Parameters
    ----------
    environment : dict
        The variables that there are; what they tune of the C library stays.
    machine : str, optional
        The kind of processor, as platform.machine() names it; that of this machine if it is not given.

    Returns
    -------
    dict
        Variables to set; none where the processor is not x86-64.
    """
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return {}
    kept = [part for part in environment.get("GLIBC_TUNABLES", "").split(":") if part and "glibc.cpu.hwcaps" not in part]
    return {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": _NUMPY,
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "GLIBC_TUNABLES": ":".join([*kept, _C_LIBRARY]),
    }
