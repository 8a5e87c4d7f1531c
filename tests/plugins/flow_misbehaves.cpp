// SPDX-License-Identifier: Apache-2.0
// A plugin of flows that does what the setting `how` names.
#include <chrono>
#include <stdexcept>
#include <string>

#include "nfstreamd_plugin.hpp"

namespace {

class Misbehaves : public nfstreamd::Plugin {
public:
    explicit Misbehaves(const nfstreamd::Host& of) : Plugin(of), settings_(of.settings()) {
        if (does("fails to open")) throw std::runtime_error("it does not want to");
        if (does("declares a field twice")) nfstreamd::Field<double>(host, "calls", "Once more.");
        if (does("declares a field that exists")) nfstreamd::Field<double>(host, "not a name", "Of no use.");
        if (does("declares in secret"))  // and goes on as if nothing was
            try {
                nfstreamd::Field<double>(host, "calls", "Once more.");
            } catch (const std::runtime_error&) {
            }
        if (does("asks for no column")) nfstreamd::Column(host, "no_such_column");
    }

    void on_init(const nfstreamd::Packet& packet, nfstreamd::Flow& flow) {
        flow.set(calls_, 1);
        on_update(packet, flow);
    }
    void on_update(const nfstreamd::Packet&, nfstreamd::Flow& flow) {
        if (does("throws")) throw std::runtime_error("a broken promise");
        if (does("throws a number")) throw 42;
        if (does("is slow")) wait(std::chrono::milliseconds(2));
        if (does("ends every flow")) flow.expire(-3);
        if (does("sets a wrong type")) {
            nfd_value value{};
            value.type = NFD_FLOAT;
            host.c()->set(flow.c(), calls_.number(), &value) == NFD_OK ? host.warning("it was taken") : void();
            host.c()->set(flow.c(), 99, &value) == NFD_OK ? host.warning("it was taken") : void();
            throw std::runtime_error("the value was refused");
        }
    }
    void on_expire(nfstreamd::Flow&) {
        if (does("throws at the end")) throw std::runtime_error("a promise broken late");
    }

private:
    bool does(const std::string& what) const { return settings_.find('"' + what + '"') != std::string::npos; }
    static void wait(std::chrono::nanoseconds time) {
        const auto until = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < until) {
        }
    }

    nfstreamd::Field<std::uint64_t> calls_{host, "calls", "Calls of the flow that came to something."};
    const std::string settings_;
};

}  // namespace

NFSTREAMD_PLUGIN(Misbehaves, "1.0")
