// SPDX-License-Identifier: Apache-2.0
// The interpreter in nfstreamd: started once, left as it is when the process
// ends, as threads of libraries may still be in it. What plugins print goes into
// the log, by whoever's call is under way.
#pragma once
#include <Python.h>

#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "daemon/python/plugin_hook.hpp"
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {

class Interpreter {
public:
    // Starts it, at the first time. Control thread.
    static Result<Interpreter*> get();

    // With the lock, as what follows.
    PyObject* hosting() const noexcept { return hosting_.get(); }  // the module of hosting.py
    PluginTypes types(long generation) const;                      // of flows as that nfstream has them
    std::string take_error() const;                                // Python's error, in one line

private:
    Interpreter() = default;
    Status start();
    Status prepare();

    Reference hosting_, packet_type_, base_, udps_, flow_types_[3];
};

// A call into Python: has the lock; what is printed meanwhile is of that plugin.
class PythonCall {
public:
    // `limit`, null for none: of its lines.
    PythonCall(std::string_view plugin, std::string_view meter, Logger& logger, RateLimit* limit = nullptr) noexcept;
    ~PythonCall();
    PythonCall(const PythonCall&) = delete;
    PythonCall& operator=(const PythonCall&) = delete;

    struct Speaker {
        std::string_view plugin, meter;
        Logger* logger;
        RateLimit* limit;
    };

private:
    const InterpreterLock lock_;
    const Speaker speaker_;
    const Speaker* const before_;
};

}  // namespace nfstreamd::python
