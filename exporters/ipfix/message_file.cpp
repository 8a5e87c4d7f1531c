// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/message_file.hpp"

#include <string_view>

namespace nfstreamd::exporters::ipfix {

Status MessageFile::open(Clock::time_point) {
    close();
    if (Status status = file_.open(!append_ && !opened_); !status) return status;
    opened_ = true;
    return ok();
}

Status MessageFile::send(std::span<const std::uint8_t> message, Clock::time_point deadline) {
    const std::string_view bytes(reinterpret_cast<const char*>(message.data()), message.size());
    const Status status = file_.write(bytes, sent_, deadline);
    if (status) sent_ = 0;
    if (!status && status.error().code != ErrorCode::kBusy) take_back();
    return status;
}

// A reader sees the cut end where that fails.
void MessageFile::take_back() noexcept {
    if (sent_ > 0 && file_.is_open() && file_.regular()) file_.cut_off(sent_);
    sent_ = 0;
}

void MessageFile::close() noexcept {
    take_back();
    file_.close();
}

}  // namespace nfstreamd::exporters::ipfix
