# find_package(lekt) brings the target lekt::client.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/lekt-targets.cmake)
