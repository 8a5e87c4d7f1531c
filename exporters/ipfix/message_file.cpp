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

Status MessageFile::send(std::span<const std::uint8_t> bytes, std::span<const std::size_t> ends, std::size_t& sent,
                         Clock::time_point deadline) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Status status = file_.write(text, sent_, deadline);
    while (sent < ends.size() && ends[sent] <= sent_) ++sent;
    if (sent > 0) sent_ -= ends[sent - 1];
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
