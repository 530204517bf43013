from changeover_sandbox.housecallpro.deliveries import signature


def test_the_signature_is_that_of_the_published_vector() -> None:
    body = (
        b'{"event":"job.started","event_occurred_at":"2026-03-04T18:02:11Z",'
        b'"company_id":"11111111-2222-3333-4444-555555555555",'
        b'"job":{"id":"job_00000000000000000000000000000001"}}'
    )
    assert len(body) == 170
    expected = "a3d9b182f54a6938e1b813e99f15c8706c5da4bd79ae0fde130865385fe02c04"
    assert signature("test-secret", "1772647331", body) == expected
