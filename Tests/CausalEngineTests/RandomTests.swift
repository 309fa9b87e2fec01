@testable import CausalEngine
import CausalKernels
import Testing

/// One stream alone and many at once are the same numbers, though two pieces of code compute them.
@Suite struct RandomTests {
    @Test(arguments: [0, 1, 0xDEAD_BEEF_1234_5678] as [UInt64]) func aStreamAloneIsTheSameAmongMany(_ seed: UInt64) {
        let streams: [UInt64] = [0, 1, 77, 1 << 31, 2, 3, 4, 99_999]
        var random = streams.map { Random(seed: seed, purpose: .noise, index: Int($0)) }
        for block in 0..<3 as Range<UInt64> {
            var first = [UInt64](repeating: 0, count: 8), second = first
            first.withUnsafeMutableBufferPointer { first in
                second.withUnsafeMutableBufferPointer { second in
                    Float.kernels.philox(key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)),
                                         purpose: Random.Purpose.noise.rawValue, streams: streams, block: block,
                                         first: first.baseAddress!, second: second.baseAddress!, count: 8)
                }
            }
            for k in streams.indices {
                let one = random[k].next(), two = random[k].next()
                #expect(one == first[k] && two == second[k])
            }
        }
    }
}
