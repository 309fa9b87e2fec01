extension VectorKernels {
    public static func philox(key: (UInt32, UInt32), purpose: UInt32, streams: UnsafePointer<UInt64>, block: UInt64,
                              first: UnsafeMutablePointer<UInt64>, second: UnsafeMutablePointer<UInt64>, count: Int) {
        // Words of 32 bits in lanes of 64, so that a product has room.
        let low = LongWords(repeating: 0xFFFF_FFFF), half = LongWords(repeating: 32)
        let multipliers = (LongWords(repeating: 0xD251_1F53), LongWords(repeating: 0xCD9E_8D57))
        for i in Swift.stride(from: 0, to: count, by: LongWords.scalarCount) {
            var c0 = LongWords(repeating: block & 0xFFFF_FFFF), c1 = LongWords(repeating: block >> 32), c2 = LongWords(repeating: UInt64(purpose))
            var c3 = UnsafeRawPointer(streams + i).loadUnaligned(as: LongWords.self) & low
            var k = key
            for _ in 0..<10 {
                let a = multipliers.0 &* c0, b = multipliers.1 &* c2
                (c0, c1, c2, c3) = ((b &>> half) ^ c1 ^ LongWords(repeating: UInt64(k.0)), b & low,
                                    (a &>> half) ^ c3 ^ LongWords(repeating: UInt64(k.1)), a & low)
                k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
            }
            UnsafeMutableRawPointer(first + i).storeBytes(of: c0 | c1 &<< half, as: LongWords.self)
            UnsafeMutableRawPointer(second + i).storeBytes(of: c2 | c3 &<< half, as: LongWords.self)
        }
    }
}
