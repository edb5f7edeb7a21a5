// A device's side of DTLS, as far as the device protocol decides it: who has agreed to it, and what travels in it.
#include "client/device_link.h"

namespace lekt {

DeviceLink::Try* DeviceLink::find(std::uint64_t registration) const {
  for (Try* const attempt : {attempt_.get(), current_.get()})
    if (attempt != nullptr && attempt->registration == registration) return attempt;
  return nullptr;
}

/// Whether packet 4 has come, and has agreed to DTLS.
bool DeviceLink::is_encrypted(const Try& attempt) const {
  return encrypted_ && (attempt.step == Step::waiting || attempt.step == Step::serving);
}

std::uint64_t DeviceLink::sealed_for(const Try& attempt) const {
  return is_encrypted(attempt) ? attempt.registration : 0;
}

std::vector<DeviceLink::Encrypted> DeviceLink::encrypted() const {
  std::vector<Encrypted> found;
  for (const Try* const attempt : {attempt_.get(), current_.get()})
    if (attempt != nullptr && is_encrypted(*attempt)) found.push_back({attempt->registration, attempt->port});
  return found;
}

void DeviceLink::handshake_done(std::uint64_t registration, AwakeTime now) {
  Try* const attempt = find(registration);
  if (attempt == nullptr || !is_encrypted(*attempt) || attempt->is_sealed) return;
  attempt->is_sealed = true;
  attempt->since = now;
}

void DeviceLink::dtls_ended(std::uint64_t registration, const Rejection& why, AwakeTime now) {
  Try* const attempt = find(registration);
  if (attempt != nullptr) lose(*attempt, why, now);
}

void DeviceLink::receive_decrypted(std::uint64_t registration, ByteView datagram, AwakeTime now) {
  const auto head = read_head_to_device(datagram);
  Try* const attempt = find(registration);
  if (!head || attempt == nullptr || head->registration != registration || !attempt->is_sealed) return;
  receive_by(*attempt, attempt->port, *head, datagram, now);
}

/// Refuses a server that has answered an offer of DTLS without agreeing to it; somebody on the way may have done so. A
/// session that is encrypted already continues if it can.
void DeviceLink::refuse_plain_server(AwakeTime now) {
  const Rejection plain{ErrorCode::encryption_required,
                        "the server has not agreed to DTLS, which this device wants; see --device-encryption "
                        "of the server, or --dtls of the device"};
  if (current_ == nullptr) return end(plain);
  ending_ = plain;
  pause_later(now);
}

}  // namespace lekt
