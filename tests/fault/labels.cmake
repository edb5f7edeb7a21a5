# Not under the sanitizers: they need memory, time, system calls and a loader of their own. Each has a core to itself,
# since what some measure is time.
if(fault_tests)
  set_tests_properties(${fault_tests} PROPERTIES LABELS "fault;unsanitized" PROCESSORS 2)
endif()
