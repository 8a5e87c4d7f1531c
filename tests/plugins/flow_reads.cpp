// SPDX-License-Identifier: Apache-2.0
// Reads what flow_tells.cpp, which comes before it, keeps in the flow.
#include <string>

#include "nfstreamd_plugin.hpp"

namespace {

class Reads : public nfstreamd::Plugin {
public:
    using Plugin::Plugin;

    void on_update(const nfstreamd::Packet&, nfstreamd::Flow& flow) { flow.set(seen_, flow.text(payload_)); }

private:
    nfstreamd::Column payload_{host, "udps.payload"};
    nfstreamd::Field<std::string> seen_{host, "seen_payload", "The field of the other one, which is not exported."};
};

}  // namespace

NFSTREAMD_PLUGIN(Reads, "1.0")
