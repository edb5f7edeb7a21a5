# find_package(lekt) brings the target lekt::client.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL)  # of the static library; no header of it is needed
include(${CMAKE_CURRENT_LIST_DIR}/lekt-targets.cmake)
