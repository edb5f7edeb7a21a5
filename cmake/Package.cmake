# Debian packages, made by `deploy/package`: lekt-server (lektd, lektctl, what systemd needs), lekt-client (lekt) and
# liblekt-dev. Files at fixed places, such as /etc, belong to packages only: an installation with --prefix that
# names no component leaves them out.
include(GNUInstallDirs)
set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)

# ---- Manual pages, from what the programs say of themselves ----

# lekt_manual_page(PROGRAM SECTION COMPONENT): build/man/PROGRAM.SECTION.gz, made anew with its program.
function(lekt_manual_page program section component)
  set(page ${CMAKE_BINARY_DIR}/man/${program}.${section}.gz)
  set(more ${CMAKE_SOURCE_DIR}/deploy/man/${program}.roff)
  set(maker ${CMAKE_SOURCE_DIR}/deploy/man/make_page.py)
  add_custom_command(
    OUTPUT ${page}
    COMMAND python3 ${maker} $<TARGET_FILE:${program}> ${section} ${more} ${page}
    DEPENDS ${program} ${maker} ${more}
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY lekt_manual_pages ${page})
  # An installation from a build that has made no pages has none.
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component} OPTIONAL)
endfunction()

lekt_manual_page(lektd 8 server)
lekt_manual_page(lekt 1 client)
if(TARGET lektctl)
  lekt_manual_page(lektctl 1 server)
endif()
get_property(manual_pages GLOBAL PROPERTY lekt_manual_pages)
# Everything that the packages hold; the tests are not among it.
add_custom_target(packaged DEPENDS ${manual_pages} lekt_common lekt_client)

# ---- Completion: one file, which asks the program that is being typed ----

function(lekt_completion program component)
  install(FILES ${CMAKE_SOURCE_DIR}/deploy/completion/lekt.bash RENAME ${program}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT ${component})
endfunction()

lekt_completion(lektd server)
if(TARGET lektctl)
  lekt_completion(lektctl server)
endif()
lekt_completion(lekt client)

# ---- What other programs read ----

install(FILES ${CMAKE_SOURCE_DIR}/deploy/monitoring/alerts.yml ${CMAKE_SOURCE_DIR}/deploy/monitoring/grafana.json
  ${CMAKE_SOURCE_DIR}/deploy/monitoring/prometheus.yml
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lekt/monitoring COMPONENT server)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/deploy/recipes/nginx-upstream
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lekt/recipes COMPONENT client)
install(FILES ${CMAKE_SOURCE_DIR}/tools/wireshark/lekt.lua ${CMAKE_SOURCE_DIR}/tools/wireshark/lekt_device.lua
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lekt/wireshark COMPONENT client)

# ---- What Debian wants at fixed places ----

install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/lektd.service ${CMAKE_SOURCE_DIR}/deploy/systemd/lektd.socket
  DESTINATION /lib/systemd/system COMPONENT server EXCLUDE_FROM_ALL)
install(FILES ${debian}/lektd.toml DESTINATION /etc/lekt COMPONENT server EXCLUDE_FROM_ALL)

# compressed(FILE NAME): FILE as Debian packages hold it, build/debian/NAME.gz, the same on every run.
function(compressed file name)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/debian)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  execute_process(COMMAND gzip --best --no-name --stdout ${file}
    OUTPUT_FILE ${CMAKE_BINARY_DIR}/debian/${name}.gz COMMAND_ERROR_IS_FATAL ANY)
endfunction()
compressed(${debian}/changelog changelog.Debian)
compressed(${CMAKE_SOURCE_DIR}/CHANGELOG.md changelog)

foreach(package server:lekt-server client:lekt-client development:liblekt-dev)
  string(REGEX MATCH "^([^:]+):(.+)$" matched ${package})
  install(FILES ${debian}/copyright ${CMAKE_BINARY_DIR}/debian/changelog.gz
    ${CMAKE_BINARY_DIR}/debian/changelog.Debian.gz
    DESTINATION /usr/share/doc/${CMAKE_MATCH_2} COMPONENT ${CMAKE_MATCH_1} EXCLUDE_FROM_ALL)
endforeach()

# What the programs' messages, their help and the operator's questions lead to, for machines without the sources.
function(lekt_documents package component)
  list(TRANSFORM ARGN PREPEND ${CMAKE_SOURCE_DIR}/docs/ OUTPUT_VARIABLE documents)
  install(FILES ${documents} DESTINATION /usr/share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()
lekt_documents(lekt-server server device-protocol.md devices.md errors.md guarantees.md installation.md lektctl.md metrics.md
  openapi.json operations.md protocol.md)
lekt_documents(lekt-client client device-protocol.md errors.md recipes.md wireshark.md)
lekt_documents(liblekt-dev development protocol.md)

# ---- The packages ----

set(CPACK_GENERATOR DEB)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL server client development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The LEKT coordinator authors <maintainers@lekt.example>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE lekt)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own

# lekt_package(COMPONENT NAME SECTION SYNOPSIS CONTENT)
macro(lekt_package component name section synopsis content)
  set(CPACK_DEBIAN_${component}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${component}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${component}_DESCRIPTION "${synopsis}
The coordinator tells every client on a network who else is there, and how to
connect to each: its address is the one that all have to know.

${content}")
endmacro()

lekt_package(SERVER lekt-server net "LEKT coordinator, the server"
  "This package has the server, lektd, as a systemd service, and lektctl, with
which operators see and steer it.")
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS lekt-client)
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS sqlite3)
file(WRITE ${CMAKE_BINARY_DIR}/debian/conffiles "/etc/lekt/lektd.toml\n")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${debian}/postinst ${debian}/prerm ${debian}/postrm ${CMAKE_BINARY_DIR}/debian/conffiles)

lekt_package(CLIENT lekt-client net "client of the LEKT coordinator"
  "This package has lekt, which joins the network and prints who is there.")
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS ca-certificates)

lekt_package(DEVELOPMENT liblekt-dev libdevel "client library of the LEKT coordinator, development files"
  "This package has the static C++20 library, its headers and its CMake package.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS libssl-dev)

include(CPack)
