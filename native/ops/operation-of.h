// How the pool calls a kernel.
#pragma once
#include "../core/context.h"
#include "../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

template <class Record> using Kernel = void(Context&, const Record&);

template <class Record, Kernel<Record>* KERNEL> static void run(Context& context, Args args) { KERNEL(context, Record(args)); }

// How the pool calls a kernel: with the numbers of its record by name. A kernel may have functions of the record beside
// it: `scratchBytes`, which each thread needs, `sharedBytes`, which all need together, and `work`.
template <class Record, Kernel<Record>* KERNEL> constexpr Operation operationOf() {
  Operation operation = {run<Record, KERNEL>, nullptr, nullptr, nullptr};
  if constexpr (requires(const Record& record) { scratchBytes(record); }) {
    operation.scratch = [](Args args) { return scratchBytes(Record(args)); };
  }
  if constexpr (requires(const Record& record) { sharedBytes(record); }) {
    operation.shared = [](Args args) { return sharedBytes(Record(args)); };
  }
  if constexpr (requires(const Record& record) { work(record); }) {
    operation.work = [](Args args) { return work(Record(args)); };
  }
  return operation;
}

}  // namespace latentkit::LATENTKIT_ISA
