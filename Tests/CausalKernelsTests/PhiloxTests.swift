import CausalKernelInterface
import Testing

/// Against the known answers of Random123 (Salmon et al. 2011), kat_vectors, philox4x32-10.
@Suite struct PhiloxTests {
    @Test func knownAnswers() {
        everyKernelSet { kernels in
            // counter 0 0 0 0, key 0 0
            check(kernels, key: (0, 0), purpose: 0, stream: 0, block: 0, expecting: (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
            // all ones
            check(kernels, key: (.max, .max), purpose: .max, stream: UInt64(UInt32.max), block: .max,
                  expecting: (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
            // digits of pi
            check(kernels, key: (0xa409_3822, 0x299f_31d0), purpose: 0x1319_8a2e, stream: 0x0370_7344, block: 0x85a3_08d3_243f_6a88,
                  expecting: (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
        }
    }

    private func check<K: KernelSet>(_: K.Type, key: (UInt32, UInt32), purpose: UInt32, stream: UInt64, block: UInt64,
                                     expecting words: (UInt64, UInt64, UInt64, UInt64)) {
        // Among others, in each place.
        for place in 0..<8 {
            var streams = [UInt64](repeating: 7, count: 8), second = [UInt64](repeating: 0, count: 8)
            streams[place] = stream
            var first = second
            first.withUnsafeMutableBufferPointer { first in
                second.withUnsafeMutableBufferPointer { second in
                    K.philox(key: key, purpose: purpose, streams: streams, block: block, first: first.baseAddress!, second: second.baseAddress!, count: 8)
                }
            }
            #expect(first[place] == words.0 | words.1 << 32 && second[place] == words.2 | words.3 << 32)
        }
    }
}
