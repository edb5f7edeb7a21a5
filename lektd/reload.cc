#include "lektd/reload.h"

#include "lektd/setting_table.h"

namespace lekt {

namespace {

bool is_following(const Setting& setting, const Configuration& configuration) {
  if (!setting.follow) return false;
  Configuration following = configuration;
  setting.follow(following);
  return setting.is_same(following, configuration);
}

}  // namespace

Reload plan_reload(const Configuration& running, const Configuration& wanted) {
  Reload reload{.configuration = wanted, .changed = {}, .needs_restart = {}};
  Configuration& planned = reload.configuration;
  for (const Setting& setting : all_settings()) {
    const bool at_once = setting.apply == Setting::Apply::at_once;
    // One that follows another follows the one in use.
    if (at_once && is_following(setting, wanted) && is_following(setting, running)) setting.follow(planned);
    if (setting.is_same(planned, running)) continue;
    (at_once ? reload.changed : reload.needs_restart).push_back(setting.name);
    if (!at_once) setting.copy(planned, running);
  }
  return reload;
}

}  // namespace lekt
