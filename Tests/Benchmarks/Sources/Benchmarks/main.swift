import CausalEngine
import Glibc

// Benchmarks list | time SECONDS [TEXT] | run COUNT NAME
//
// `time` measures every case whose name contains TEXT, in nanoseconds; `run` repeats one and says nothing, for an instruction counter.

func fail(_ message: String) -> Never {
    "Benchmarks: \(message)\n".withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
    exit(EXIT_FAILURE)
}

let arguments = Array(CommandLine.arguments.dropFirst())
let cases = KernelCases.all + PlanCases.all

do {
    try Threads.set(1)
    switch (arguments.first, arguments.count) {
    case ("list", 1):
        for each in cases { print(each.name) }
    case ("time", 2...3):
        guard let seconds = Double(arguments[1]), seconds > 0 else { fail("time \(arguments[1]): expected seconds") }
        for each in cases where arguments.count == 2 || each.name.contains(arguments[2]) {
            let (low, median, high) = try each.time(seconds: seconds)
            print(each.name, median, low, high, each.operations, separator: "\t")
            fflush(nil)
        }
    case ("run", 3):
        guard let count = Int(arguments[1]), count >= 0 else { fail("run \(arguments[1]): expected how often") }
        guard let each = cases.first(where: { $0.name == arguments[2] }) else { fail("no case \(arguments[2]): see list") }
        let body = try each.make()
        for _ in 0..<count { try body() }
    default:
        fail("expected list, time SECONDS [TEXT] or run COUNT NAME")
    }
} catch {
    fail("\(error)")
}
