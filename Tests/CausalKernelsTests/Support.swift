import CausalKernelInterface
import CausalKernels
import CausalKernelsPortable
import CausalKernelsV3
import CausalKernelsV4
import Testing

/// Runs a check on every set of kernels that this processor can run, in both precisions.
func everyKernelSet(_ check: (any KernelSet.Type) throws -> Void) rethrows {
    try check(CausalKernelsPortable.FloatKernels.self)
    try check(CausalKernelsPortable.DoubleKernels.self)
    guard Float.kernels != CausalKernelsPortable.FloatKernels.self else { return }
    try check(CausalKernelsV3.FloatKernels.self)
    try check(CausalKernelsV3.DoubleKernels.self)
    guard Float.kernels != CausalKernelsV3.FloatKernels.self else { return }
    try check(CausalKernelsV4.FloatKernels.self)
    try check(CausalKernelsV4.DoubleKernels.self)
}

/// Numbers that are the same in every run (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func numbers<Scalar: BinaryFloatingPoint>(_ count: Int, within bound: Double = 1) -> [Scalar] {
        (0..<count).map { _ in Scalar(Double.random(in: -bound...bound, using: &self)) }
    }

    mutating func mask(_ count: Int) -> [UInt8] { (0..<count).map { _ in Bool.random(using: &self) ? UInt8.random(in: 1...255, using: &self) : 0 } }
}

/// Hands out memory with sentinels at both ends, and sees afterwards that nobody wrote there.
func guarded<Scalar: BinaryFloatingPoint>(_ content: [Scalar], sourceLocation: SourceLocation = #_sourceLocation,
                                          _ body: (UnsafeMutablePointer<Scalar>) -> Void) -> [Scalar] {
    let margin = 40, sentinel: Scalar = -12345
    var memory = [Scalar](repeating: sentinel, count: margin) + content + [Scalar](repeating: sentinel, count: margin)
    memory.withUnsafeMutableBufferPointer { body($0.baseAddress! + margin) }
    #expect(memory.prefix(margin).allSatisfy { $0 == sentinel }, "written before the start", sourceLocation: sourceLocation)
    #expect(memory.suffix(margin).allSatisfy { $0 == sentinel }, "written behind the end", sourceLocation: sourceLocation)
    return Array(memory[margin..<margin + content.count])
}

/// Whether a result is as close to the exact one as `ulps` roundings of numbers of size `scale` allow.
func expectClose<Scalar: BinaryFloatingPoint>(_ found: Scalar, _ exact: Double, ulps: Double, scale: Double = 1, _ what: String = "",
                                              sourceLocation: SourceLocation = #_sourceLocation) {
    let allowed = ulps * Double(Scalar.ulpOfOne) * max(scale, abs(exact))
    let isClose = exact.isNaN ? found.isNaN : Double(found) == exact || abs(Double(found) - exact) <= allowed
    #expect(isClose, "\(what): \(found), expected \(exact) within \(allowed)", sourceLocation: sourceLocation)
}
