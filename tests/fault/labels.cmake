# Not under the sanitizers: they need memory, time, system calls and a loader of their own.
if(fault_tests)
  set_tests_properties(${fault_tests} PROPERTIES LABELS "fault;unsanitized")
endif()
