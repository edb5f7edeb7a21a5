// Compiled without any hardening; see CMakeLists.txt.
#include <cstdio>

int main() { return std::puts("soft") < 0; }
