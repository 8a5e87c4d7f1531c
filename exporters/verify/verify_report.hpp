// SPDX-License-Identifier: Apache-2.0
// What a StreamVerifier has found, for people and for programs. Pure.
#pragma once
#include <string>

#include "exporters/verify/stream_verifier.hpp"

namespace nfstreamd::exporters::verify {

// A line or two for each finding, the worst first; what is kept in one line.
std::string report_text(const StreamVerifier& verifier);

// One JSON object a line: one for each finding, then one that sums up ("verdict").
std::string report_json(const StreamVerifier& verifier);

}  // namespace nfstreamd::exporters::verify
