// SPDX-License-Identifier: Apache-2.0
#include "daemon/python/reference.hpp"

namespace nfstreamd::python {
namespace {

// PyGILState_Ensure() alone would make and destroy a state with each packet.
struct ThreadState {
    PyThreadState* state = nullptr;
    PyGILState_STATE before{};

    void enter() {
        if (state != nullptr) return PyEval_RestoreThread(state);
        before = PyGILState_Ensure();
        state = PyThreadState_Get();
    }
    void leave() { PyEval_SaveThread(); }
    ~ThreadState() {
        if (state == nullptr || !Py_IsInitialized()) return;
        PyEval_RestoreThread(state);
        PyGILState_Release(before);
    }
};
thread_local ThreadState thread_state;

}  // namespace

InterpreterLock::InterpreterLock() : taken_(PyGILState_Check() == 0) {
    if (taken_) thread_state.enter();
}

InterpreterLock::~InterpreterLock() {
    if (taken_) thread_state.leave();
}

}  // namespace nfstreamd::python
