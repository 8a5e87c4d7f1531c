// SPDX-License-Identifier: Apache-2.0
// Answers of a DNS message (RFC 1035). Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/plugin/plugins/udp_payload.hpp"

namespace nfstreamd::plugins {

// Names of its PTR answers, dots between their labels. Nothing when any part of the message is not sound.
std::optional<std::vector<std::string>> ptr_answers(Octets message);

}  // namespace nfstreamd::plugins
