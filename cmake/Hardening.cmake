# Compiler and linker options that make faults harder to use, as the Open Source Security Foundation recommends them
# for C++ (its compiler options hardening guide), as far as g++ 12 and clang 16 know them. tests/hardening checks the
# program that comes out. What they cost is in every figure of docs/performance.md.
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_compile_options(-Wformat=2 -Werror=format-security -fstack-protector-strong -fstack-clash-protection
                    -fno-delete-null-pointer-checks -fno-strict-overflow)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,-z,nodlopen)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  add_compile_options(-fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
  add_compile_options(-mbranch-protection=standard)
endif()
# Fortified calls need an optimized build, and the sanitizers check the same by themselves.
if(NOT LEKT_SANITIZE)
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
