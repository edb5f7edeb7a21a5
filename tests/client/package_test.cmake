# Installs the client into an empty prefix, compiles every installed header by itself, and builds and starts the example
# as a project that knows nothing but the prefix. Any failure ends it.
cmake_minimum_required(VERSION 3.25)

function(must_run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
must_run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component client)
must_run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component development)
must_run(${prefix}/bin/lekt --version)

file(GLOB_RECURSE headers RELATIVE ${prefix}/include/lekt ${prefix}/include/lekt/*.h)
if(NOT headers)
  message(FATAL_ERROR "no header was installed")
endif()
foreach(header ${headers})
  file(WRITE ${WORK}/alone.cc "#include \"${header}\"\n")
  must_run(${COMPILER} -std=c++20 -fsyntax-only -I ${prefix}/include/lekt ${WORK}/alone.cc)
endforeach()

file(COPY ${EXAMPLES}/ DESTINATION ${WORK}/outside)
must_run(${CMAKE_COMMAND} -S ${WORK}/outside -B ${WORK}/outside/build -G ${GENERATOR}
  -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_CXX_COMPILER=${COMPILER})
must_run(${CMAKE_COMMAND} --build ${WORK}/outside/build)
execute_process(COMMAND ${WORK}/outside/build/peers RESULT_VARIABLE code ERROR_VARIABLE usage)
if(NOT code EQUAL 2 OR NOT usage MATCHES "^usage: peers")
  message(FATAL_ERROR "the example ended with ${code} and said: ${usage}")
endif()
file(REMOVE_RECURSE ${WORK})
