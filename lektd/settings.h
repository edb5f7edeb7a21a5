// What the configuration means for each part of the server.
#pragma once

#include <cstddef>

#include "lektd/configuration.h"
#include "server/core/writer.h"
#include "server/net/admission.h"
#include "server/net/device_service.h"
#include "server/net/silence_guard.h"
#include "server/net/worker.h"
#include "storage/database.h"

namespace lekt {

/// The settings of the database. The catalogue outlives it.
storage::DatabaseSettings database_settings(const Configuration& configuration,
                                            const MethodCatalogue& catalogue);
WriterSettings writer_settings(const Configuration& configuration);
/// `connections_max`: as the limit of open files allows.
Admission::Limits admission_limits(const Configuration& configuration, std::size_t connections_max);
SilenceGuard::Settings silence_settings(const Configuration& configuration);
WorkerSettings worker_settings(const Configuration& configuration);
/// The settings of the device service, without the certificates for DTLS. Throws WrongSetting when groups and hosts do
/// not fit together, which read_configuration() does not let through.
DeviceService::Settings device_settings(const Configuration& configuration);

}  // namespace lekt
