extension VectorKernels {
    public static func philox(key: (UInt32, UInt32), purpose: UInt32, streams: UnsafePointer<UInt64>, block: UInt64,
                              first: UnsafeMutablePointer<UInt64>, second: UnsafeMutablePointer<UInt64>, count: Int) {
        // Words of 32 bits in lanes of 64, so that a product has room.
        #if CAUSAL_AVX512
        typealias Words = SIMD8<UInt64>
        #else
        typealias Words = SIMD4<UInt64>
        #endif
        let low = Words(repeating: 0xFFFF_FFFF), half = Words(repeating: 32)
        let multipliers = (Words(repeating: 0xD251_1F53), Words(repeating: 0xCD9E_8D57))
        for i in Swift.stride(from: 0, to: count, by: Words.scalarCount) {
            var c0 = Words(repeating: block & 0xFFFF_FFFF), c1 = Words(repeating: block >> 32), c2 = Words(repeating: UInt64(purpose))
            var c3 = UnsafeRawPointer(streams + i).loadUnaligned(as: Words.self) & low
            var k = key
            for _ in 0..<10 {
                let a = multipliers.0 &* c0, b = multipliers.1 &* c2
                (c0, c1, c2, c3) = ((b &>> half) ^ c1 ^ Words(repeating: UInt64(k.0)), b & low,
                                    (a &>> half) ^ c3 ^ Words(repeating: UInt64(k.1)), a & low)
                k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
            }
            UnsafeMutableRawPointer(first + i).storeBytes(of: c0 | c1 &<< half, as: Words.self)
            UnsafeMutableRawPointer(second + i).storeBytes(of: c2 | c3 &<< half, as: Words.self)
        }
    }
}
