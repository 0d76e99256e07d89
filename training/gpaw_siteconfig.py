# Build settings of GPAW for `make test-simulation`: one process, no MPI and no ScaLAPACK, which
# GPAW would otherwise look for through an MPI wrapper that may be broken.
mpi = False
compiler = "gcc"
libraries = ["xc", "openblas", "fftw3"]
fftw = True
scalapack = False
